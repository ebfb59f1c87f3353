import type { Duplex } from 'node:stream';
import { Connection } from 'mongodb/lib/cmap/connection.js';

/**
 * C5: what is being written to a connection ends when the connection does.
 * A socket takes nothing more from when it is destroyed, but says that it is closed only later in the same turn of the event loop. What the driver (7.9) writes
 * in between waits for the socket to drain, which it never does, and no time-out runs on a destroyed socket: the operation never ends, and when it was the check
 * of the server, none follows and the server stays unreachable for this process. The same when the other side reads no more and a time-out ends the connection.
 * So whoever waits is let go on when the socket is closed: the driver's next step is to look whether the connection has ended, and to fail with why.
 */
class EndingConnection extends Connection {
  constructor(stream: Duplex, options: object) {
    super(stream, options); // listens for `close` first, and notes that the connection has ended
    stream.once('close', () => stream.emit('drain'));
  }
}

/** An option of the driver that its types don't tell. */
export const ENDING_CONNECTIONS: object = { connectionType: EndingConnection };
