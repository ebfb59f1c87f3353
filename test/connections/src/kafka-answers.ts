/** Keys of Kafka's requests. */
const SASL_HANDSHAKE = 17;
const API_VERSIONS = 18;
const SASL_AUTHENTICATE = 36;

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([int16(value.length), Buffer.from(value)]);
const array = (items: Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items]);

/** As much of a broker as a client needs to tell its login: it says what it can, and takes one mechanism. */
export const kafkaAnswers =
  (mechanism: string) =>
  (request: Buffer): Buffer | undefined => {
    const apiKey = request.readInt16BE(4);
    const isPlainVersions = apiKey === API_VERSIONS && request.readInt16BE(6) <= 2;
    const versions = array([SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE].map((key) => Buffer.concat([int16(key), int16(0), int16(1)])));
    const body = isPlainVersions
      ? Buffer.concat([int16(0), versions, int32(0)])
      : apiKey === SASL_HANDSHAKE
        ? Buffer.concat([int16(0), array([text(mechanism)])])
        : undefined;
    if (body === undefined) return undefined;
    return Buffer.concat([int32(4 + body.length), request.subarray(8, 12), body]);
  };
