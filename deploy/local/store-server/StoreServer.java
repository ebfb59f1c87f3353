import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import java.util.List;
import org.h2.mvstore.MVStore;

/** A MongoDB-protocol server over one file: {@code java StoreServer <port> <file>}. */
public final class StoreServer {
  /** What the server says it is: drivers of today refuse anything older than 4.4. */
  private static final MongoVersion VERSION = new MongoVersion() {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  };

  public static void main(String[] args) {
    MVStore store = new MVStore.Builder().fileName(args[1]).cacheSize(100).autoCommitDisabled().open();
    store.setVersionsToKeep(0);
    store.setRetentionTime(1_000);
    MongoServer server = new MongoServer(new StoreBackend(store).version(VERSION));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
  }
}
