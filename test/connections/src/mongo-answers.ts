import { BSON } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const HELLO = {
  ok: 1,
  isWritablePrimary: true,
  helloOk: true,
  maxBsonObjectSize: 16 * 1_048_576,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
};

/** As much of MongoDB as a client needs to tell its login: to everything it says that it is a server. */
export function mongoAnswers(request: Buffer): Buffer | undefined {
  const opCode = request.readInt32LE(12);
  if (opCode !== OP_QUERY && opCode !== OP_MSG) return undefined;
  const document = Buffer.from(BSON.serialize(HELLO));
  const before = Buffer.alloc(opCode === OP_QUERY ? 20 : 5);
  if (opCode === OP_QUERY) before.writeInt32LE(1, 16); // one document
  const header = Buffer.alloc(16);
  header.writeInt32LE(16 + before.length + document.length, 0);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(opCode === OP_QUERY ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([header, before, document]);
}
