import de.bwaldvogel.mongo.bson.Document;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** What a query asks of one field, as far as an ordered map can answer it. */
final class Condition {
  private static final Set<String> RANGE = Set.of("$gt", "$gte", "$lt", "$lte");

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

  static boolean has(Document query, String field, String operator) {
    return query.get(field) instanceof Document operators && operators.containsKey(operator);
  }

  /** Whether the field is asked for a range and nothing else, with one bound on a side. */
  static boolean isRange(Document query, String field) {
    return query.get(field) instanceof Document operators && RANGE.containsAll(operators.keySet())
        && !operators.keySet().containsAll(List.of("$gt", "$gte")) && !operators.keySet().containsAll(List.of("$lt", "$lte"));
  }
}
