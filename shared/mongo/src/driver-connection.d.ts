/** What the driver's own types leave out of the class that its option `connectionType` takes the place of. */
declare module 'mongodb/lib/cmap/connection.js' {
  import type { Duplex } from 'node:stream';
  export class Connection {
    constructor(stream: Duplex, options: object);
  }
}
