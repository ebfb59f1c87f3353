import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.ObjectId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;

/**
 * A secondary index over top-level fields: an ordered map from the fields' values and the _id to the _id. An array has an
 * entry for each element. It names candidates, never fewer than match; the query's filter decides. (Nobody asks for a range of a
 * field that holds arrays, nor for an order by values of different types.)
 */
final class SortedIndex extends Index<Object> {
  private static final char END = '\u0001';
  static final String AFTER_END = "\u0002";
  private final MVMap<String, Object> ids;

  SortedIndex(String name, List<IndexKey> keys, MVMap<String, Object> ids) {
    super(name, keys, false);
    this.ids = ids;
  }

  /** One value so that strings compare as the values do; the first character is the type. */
  static String encoded(Object value) {
    if (value instanceof Number number) {
      long bits = Double.doubleToLongBits(number.doubleValue() + 0.0);
      return String.format("1%016x", bits < 0 ? ~bits : bits ^ Long.MIN_VALUE);
    }
    if (value instanceof Instant instant) return String.format("2%016x", instant.toEpochMilli() ^ Long.MIN_VALUE);
    if (value instanceof String string) return "3" + string;
    if (value instanceof Boolean || value instanceof ObjectId) return "4" + value;
    return value == null ? "0" : "9";
  }

  private List<String> prefixes(Document document, List<String> fields) {
    List<String> prefixes = List.of("");
    for (String field : fields) {
      Object value = document.get(field);
      Collection<?> values = value instanceof Collection<?> list && !list.isEmpty() ? list : java.util.Collections.singletonList(value);
      prefixes = product(prefixes, values);
    }
    return prefixes;
  }

  private static List<String> product(List<String> prefixes, Collection<?> values) {
    List<String> longer = new ArrayList<>();
    for (String prefix : prefixes) {
      for (Object value : values) longer.add(prefix + encoded(value) + END);
    }
    return longer;
  }

  private Set<String> entries(Document document) {
    Set<String> entries = new LinkedHashSet<>();
    for (String prefix : prefixes(document, keys())) entries.add(prefix + document.get("_id"));
    return entries;
  }

  /** How many of its fields a query lets it use, from the first on; a range counts and is the last. */
  int usableFields(Document query) {
    int usable = 0;
    for (String field : keys()) {
      if (Condition.values(query, field) == null) {
        boolean range = Condition.from(query, field) != null || Condition.to(query, field) != null;
        return range ? usable + 1 : usable;
      }
      usable++;
    }
    return usable;
  }

  Collection<Object> candidates(Document query) {
    List<String> prefixes = List.of("");
    Bounds bounds = Bounds.NONE;
    for (String field : keys()) {
      Collection<?> values = Condition.values(query, field);
      if (values == null) {
        bounds = Bounds.of(query, field);
        break;
      }
      prefixes = product(prefixes, values);
    }
    Set<Object> found = new LinkedHashSet<>();
    for (String prefix : prefixes) {
      Cursor<String, Object> cursor = ids.cursor(prefix + bounds.from(), prefix + bounds.to(), false);
      while (cursor.hasNext()) {
        cursor.next();
        found.add(cursor.getValue());
      }
    }
    return found;
  }

  /** How many match; -1 when more is asked than the entries alone can answer. */
  int count(Document query) {
    boolean knowsAll = usableFields(query) == query.size();
    Predicate<String> isExact = field -> Condition.values(query, field) != null || Bounds.of(query, field).isExact();
    return knowsAll && query.keySet().stream().allMatch(isExact) ? candidates(query).size() : -1;
  }

  /**
   * Candidates in the order that is asked for, read only as far as somebody looks; null when the entries are in another order. They
   * are in this one when each field before those that order is asked to equal one value.
   */
  Stream<Object> inOrder(Document query, Document orderBy) {
    List<String> order = List.copyOf(orderBy.keySet());
    int first = keys().indexOf(order.get(0));
    boolean isOurs = first >= 0 && first + order.size() <= keys().size() && keys().subList(first, first + order.size()).equals(order);
    Set<Object> ways = Set.copyOf(orderBy.values());
    if (!isOurs || !(ways.equals(Set.of(1)) || ways.equals(Set.of(-1)))) {
      return null;
    }
    List<String> prefixes = List.of("");
    for (String field : keys().subList(0, first)) {
      Collection<?> values = Condition.values(query, field);
      if (values == null || values.size() != 1) {
        return null;
      }
      prefixes = product(prefixes, values);
    }
    Bounds bounds = Bounds.of(query, order.get(0));
    String from = prefixes.get(0) + bounds.from();
    String to = prefixes.get(0) + bounds.to();
    boolean descending = ways.contains(-1);
    Cursor<String, Object> cursor = descending ? ids.cursor(to, from, true) : ids.cursor(from, to, false);
    Iterable<String> entries = () -> cursor;
    return StreamSupport.stream(entries.spliterator(), false).map(entry -> cursor.getValue()).distinct();
  }

  @Override
  public void add(Document document, Object position, MongoCollection<Object> collection) {
    for (String entry : entries(document)) ids.put(entry, position);
  }

  @Override
  public Object remove(Document document) {
    for (String entry : entries(document)) ids.remove(entry);
    return document.get("_id");
  }

  @Override
  public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
    Set<String> old = entries(before);
    Set<String> now = entries(after);
    for (String entry : old) if (!now.contains(entry)) ids.remove(entry);
    for (String entry : now) if (!old.contains(entry)) ids.put(entry, position);
  }

  @Override
  public boolean canHandle(Document query) {
    return false; // StoreCollection asks usableFields instead.
  }

  @Override
  public Iterable<Object> getPositions(Document query) {
    return candidates(query);
  }

  @Override
  public Object getPosition(Document document) {
    return document.get("_id");
  }

  @Override
  public long getCount() {
    return ids.sizeAsLong();
  }

  @Override
  public long getDataSize() {
    return 0;
  }

  @Override
  public void drop() {
    ids.clear();
  }

  @Override
  public void checkAdd(Document document, MongoCollection<Object> collection) {}

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<Object> collection) {}
}
