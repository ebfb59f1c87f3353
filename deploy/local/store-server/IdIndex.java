import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.AbstractUniqueIndex;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.h2.mvstore.MVMap;

/** Uniqueness of _id, answered by the map of documents itself, which has _id as its key. */
final class IdIndex extends AbstractUniqueIndex<Object> {
  private final MVMap<Object, Document> documents;

  IdIndex(String name, List<IndexKey> keys, MVMap<Object, Document> documents) {
    super(name, keys, false);
    this.documents = documents;
  }

  @Override
  protected Object getPosition(KeyValue key) {
    return key.get(0) != null && documents.containsKey(key.get(0)) ? key.get(0) : null;
  }

  /** The document is in the map already when its indexes are told, and an update never changes an _id. */
  @Override
  public void add(Document document, Object position, MongoCollection<Object> collection) {}

  @Override
  public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {}

  @Override
  protected Object removeDocument(KeyValue key) {
    return getPosition(key);
  }

  @Override
  protected boolean putKeyPosition(KeyValue key, Object position) {
    return true;
  }

  @Override
  protected Iterable<Map.Entry<KeyValue, Object>> getIterable() {
    return documents.keyList().stream().map(id -> Map.entry(new KeyValue(id), id)).collect(Collectors.toList());
  }

  @Override
  public long getCount() {
    return documents.sizeAsLong();
  }

  @Override
  public long getDataSize() {
    return 0;
  }
}
