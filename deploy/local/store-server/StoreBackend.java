import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import io.netty.channel.Channel;
import java.util.List;
import java.util.Set;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;

/**
 * Makes mongo-java-server's H2 back end hold what it acknowledges.
 *
 * <p>D1: a write is answered only after it is committed to the file, so it survives a kill. (It is not forced to the
 * disk: it would not survive a power cut.) D2: writers take turns, so that no commit holds half a document and half its
 * index entries. D3: a server that can't commit ends, as mongod does: what it has in memory is not what its file holds.
 */
final class StoreBackend extends H2Backend {
  private static final Set<String> READS = Set.of("find", "getMore", "count", "distinct", "aggregate", "ping", "isMaster", "ismaster",
      "buildInfo", "buildinfo", "killCursors", "endSessions", "listCollections", "listIndexes", "listDatabases", "serverStatus");
  /** How drivers count what a pipeline's first stage leaves. */
  private static final Document COUNT = new Document("$group", new Document("_id", 1).append("n", new Document("$sum", 1)));
  private static final int COMMITS_BETWEEN_COMPACTIONS = 200;
  /** How mongod ends when it can't go on. */
  private static final int CANNOT_WRITE = 14;

  private final Object writing = new Object();
  private int commits;

  StoreBackend(MVStore store) {
    super(store);
  }

  @Override
  public Document handleMessage(MongoMessage message) {
    if (READS.contains(message.getDocument().keySet().iterator().next())) {
      return super.handleMessage(message);
    }
    synchronized (writing) { // D2
      try {
        return withoutRefused(message.getDocument(), super.handleMessage(message));
      } finally {
        commitOrEnd();
      }
    }
  }

  private void commitOrEnd() {
    try {
      commit(); // D1
      if (++commits % COMMITS_BETWEEN_COMPACTIONS == 0) {
        getMvStore().compact(50, 4 << 20);
      }
    } catch (MVStoreException error) {
      System.err.println("the store can not be written, this server ends: " + error.getMessage());
      Runtime.getRuntime().halt(CANNOT_WRITE); // D3
    }
  }

  /** The back end counts documents of an insert that it refused as inserted. */
  private static Document withoutRefused(Document command, Document answer) {
    if (command.containsKey("insert") && answer.get("writeErrors") instanceof List<?> refused) {
      answer.put("n", (Integer) answer.get("n") - refused.size());
    }
    return answer;
  }

  @Override
  protected MongoDatabase openOrCreateDatabase(String name) {
    return new StoreDatabase(name);
  }

  /** An inner class because its superclass opens collections while it is constructed, before any field of its own is set. */
  private final class StoreDatabase extends H2Database {
    StoreDatabase(String name) {
      super(name, getMvStore(), getCursorRegistry());
    }

    /** A pipeline reads a whole collection; the one that a driver counts by does not have to. */
    @Override
    public Document handleCommand(Channel channel, String command, Document query, DatabaseResolver databases, Oplog oplog) {
      if (command.equals("aggregate") && query.get("pipeline") instanceof List<?> stages && stages.size() == 2
          && COUNT.equals(stages.get(1)) && stages.get(0) instanceof Document first && first.get("$match") instanceof Document wanted
          && resolveCollection((String) query.get("aggregate"), false) instanceof StoreCollection collection) {
        int count = collection.count(wanted, 0, 0);
        List<Document> counted = count == 0 ? List.of() : List.of(new Document("_id", 1).append("n", count));
        Document cursor = new Document("id", 0L).append("ns", collection.getFullName()).append("firstBatch", counted);
        return new Document("cursor", cursor).append("ok", 1.0);
      }
      return super.handleCommand(channel, command, query, databases, oplog);
    }

    private MVMap<Object, Document> documents(String collection) {
      return getMvStore().openMap("databases." + getFullCollectionNamespace(collection),
          new MVMap.Builder<Object, Document>().valueType(new BsonType()));
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
      if (name.startsWith("system.")) {
        return super.openOrCreateCollection(name, options);
      }
      MVMap<String, Object> meta = getMvStore().openMap("meta." + getFullCollectionNamespace(name));
      return new StoreCollection(this, name, options, documents(name), meta, cursorRegistry);
    }

    @Override
    protected Index<Object> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
      boolean byId = keys.size() == 1 && keys.get(0).getKey().equals("_id");
      return byId ? new IdIndex(name, keys, documents(collection)) : super.openOrCreateUniqueIndex(collection, name, keys, sparse);
    }

    @Override
    protected Index<Object> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
      if (keys.stream().anyMatch(key -> key.getKey().contains("."))) {
        return super.openOrCreateSecondaryIndex(collection, name, keys, sparse);
      }
      return new SortedIndex(name, keys, getMvStore().openMap(getFullCollectionNamespace(collection) + "._index_" + name));
    }
  }
}
