import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.h2.mvstore.MVMap;

/**
 * A collection that answers ranges and lists of _id from its ordered map, and other queries and counts from its secondary indexes.
 *
 * <p>C1: a document in the map is never changed, only replaced; what leaves the collection is a copy, so no reader sees half
 * an update.
 */
final class StoreCollection extends H2Collection {
  private final MVMap<Object, Document> byId;
  private final List<SortedIndex> sorted = new CopyOnWriteArrayList<>();

  StoreCollection(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> byId,
      MVMap<String, Object> meta, CursorRegistry cursors) {
    super(database, name, options, byId, meta, cursors);
    this.byId = byId;
  }

  @Override
  public void addIndex(Index<Object> index) {
    super.addIndex(index);
    if (index instanceof SortedIndex added && sorted.stream().noneMatch(other -> other.getName().equals(added.getName()))) {
      sorted.add(added);
    }
  }

  @Override
  public void dropIndex(String name) {
    super.dropIndex(name);
    sorted.removeIf(index -> index.getName().equals(name));
  }

  /** 1 or -1 when the query wants its answer by _id alone, else 0. */
  private static int idOrder(Document orderBy) {
    boolean byId = orderBy != null && orderBy.size() == 1 && orderBy.get("_id") instanceof Number;
    return byId ? Integer.signum(((Number) orderBy.get("_id")).intValue()) : 0;
  }

  private Stream<Document> range(Object from, Object to, boolean descending) {
    Iterable<Object> ids = () -> descending ? byId.cursor(to, from, true) : byId.cursor(from, to, false);
    return StreamSupport.stream(ids.spliterator(), false).map(byId::get).filter(Objects::nonNull);
  }

  private Stream<Document> named(Collection<?> ids, boolean descending) {
    Map<Object, Document> found = new TreeMap<>(byId.getKeyType());
    for (Object id : ids) {
      Document document = id == null ? null : byId.get(id);
      if (document != null) {
        found.put(id, document);
      }
    }
    return (descending ? ((TreeMap<Object, Document>) found).descendingMap() : found).values().stream();
  }

  /** Documents that may match, by _id, or null when the query says nothing that an index knows. */
  private Stream<Document> candidates(Document query, boolean descending) {
    Collection<?> ids = Condition.values(query, "_id");
    if (ids != null) {
      return named(ids, descending);
    }
    Object from = Condition.from(query, "_id");
    Object to = Condition.to(query, "_id");
    if (from instanceof String || to instanceof String) {
      return range(from, to, descending);
    }
    SortedIndex best = null;
    for (SortedIndex index : sorted) {
      if (best == null || index.usableFields(query) > best.usableFields(query)) {
        best = index;
      }
    }
    if (best != null && best.usableFields(query) > 0) {
      return named(best.candidates(query), descending);
    }
    return query.get("$or") instanceof Collection<?> branches ? anyOf(branches, descending) : null;
  }

  private Stream<Document> anyOf(Collection<?> branches, boolean descending) {
    java.util.Set<Object> ids = new java.util.LinkedHashSet<>();
    for (Object branch : branches) {
      Stream<Document> documents = candidates((Document) branch, descending);
      if (documents == null) {
        return null;
      }
      documents.filter(document -> documentMatchesQuery(document, (Document) branch)).forEach(document -> ids.add(document.get("_id")));
    }
    return named(ids, descending);
  }

  @Override
  protected QueryResult queryDocuments(Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
    boolean descending = idOrder(orderBy) < 0;
    if (limit > 0 && idOrder(orderBy) == 0 && orderBy != null && !orderBy.isEmpty()) {
      for (SortedIndex index : sorted) {
        Stream<Object> ids = index.inOrder(query, orderBy);
        if (ids != null) {
          return matchDocumentsFromStream(ids.map(byId::get).filter(Objects::nonNull), query, null, skip, limit, batchSize, fields);
        }
      }
    }
    Stream<Document> documents = candidates(query, descending);
    if (documents == null) {
      documents = range(null, null, descending);
    }
    // They come by _id: that order needs no sorting, and a limit ends the walk.
    Document order = idOrder(orderBy) == 0 ? orderBy : null;
    return matchDocumentsFromStream(documents, query, order, skip, limit, batchSize, fields);
  }

  /** From an index alone where one knows everything that is asked. */
  @Override
  public int count(Document query, int skip, int limit) {
    if (skip > 0 || limit > 0) {
      return super.count(query, skip, limit);
    }
    for (SortedIndex index : sorted) {
      int known = index.count(query);
      if (known >= 0) {
        return known;
      }
    }
    Stream<Document> documents = candidates(query, false);
    Stream<Document> all = documents == null ? range(null, null, false) : documents;
    return (int) all.filter(document -> documentMatchesQuery(document, query)).count();
  }

  @Override
  protected QueryResult createQueryResult(List<Document> matched, int batchSize) {
    return super.createQueryResult(matched.stream().map(Document::cloneDeeply).toList(), batchSize); // C1
  }
}
