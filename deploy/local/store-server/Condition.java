import de.bwaldvogel.mongo.bson.Document;
import java.util.Collection;
import java.util.List;

/** What a query asks of one field, as far as an ordered map can answer it. */
final class Condition {
  private Condition() {}

  /** The values that the field may equal, or null when it is asked for something else. */
  static Collection<?> values(Document query, String field) {
    if (!query.containsKey(field)) {
      return null;
    }
    Object asked = query.get(field);
    if (asked instanceof Document operators && operators.keySet().stream().anyMatch(name -> name.startsWith("$"))) {
      if (operators.get("$in") instanceof Collection<?> values) {
        return values;
      }
      return operators.containsKey("$eq") ? List.of(operators.get("$eq")) : null;
    }
    boolean one = asked == null || asked instanceof String || asked instanceof Number || asked instanceof Boolean;
    return one ? java.util.Collections.singletonList(asked) : null;
  }

  /** The lower bound that the field is given, or null. Whether it is strict is left to the filter. */
  static Object from(Document query, String field) {
    return bound(query, field, "$gt", "$gte");
  }

  static Object to(Document query, String field) {
    return bound(query, field, "$lt", "$lte");
  }

  private static Object bound(Document query, String field, String strict, String inclusive) {
    if (query.get(field) instanceof Document operators) {
      return operators.containsKey(strict) ? operators.get(strict) : operators.get(inclusive);
    }
    return null;
  }
}
