import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Collection;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/** Documents as BSON in the file; the default is Java's own serialization, five times as slow. */
final class BsonType extends BasicDataType<Document> {
  /** About what a document takes in memory, so that the cache knows when it is full. */
  @Override
  public int getMemory(Document document) {
    return sizeOf(document);
  }

  private static int sizeOf(Object value) {
    if (value instanceof Document document) {
      int size = 120;
      for (var entry : document.entrySet()) size += 100 + sizeOf(entry.getValue());
      return size;
    }
    if (value instanceof Collection<?> values) return values.stream().mapToInt(BsonType::sizeOf).sum() + 50;
    return value instanceof String string ? 50 + string.length() : 24;
  }

  @Override
  public void write(WriteBuffer out, Document document) {
    ByteBuf bytes = Unpooled.buffer(1_024);
    BsonEncoder.encodeDocument(document, bytes);
    out.put(bytes.nioBuffer());
  }

  @Override
  public Document read(ByteBuffer in) {
    ByteBuf bytes = Unpooled.wrappedBuffer(in);
    Document document = BsonDecoder.decodeBson(bytes);
    in.position(in.position() + bytes.readerIndex());
    return document;
  }

  @Override
  public Document[] createStorage(int size) {
    return new Document[size];
  }
}
