export type Message = { id: string; data: { eventId: string; eventType: string; taskId: string; sequence: number } };

/** Reads server-sent events as the specification has them, as far as we send them. */
export class SseReader {
  readonly messages: Message[] = [];
  comments = 0;
  /** `eof` when the other side ended it, else what broke it. */
  ended: string | null = null;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = '';

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** Takes what comes until `isEnough`, or the end. */
  async until(isEnough: () => boolean): Promise<void> {
    const decoder = new TextDecoder();
    while (!isEnough() && this.ended === null) {
      const read = await this.#reader.read().catch((error: unknown) => ({ done: true as const, value: undefined, error: String(error) }));
      if (read.done) {
        this.ended = 'error' in read ? String(read.error) : 'eof';
        return;
      }
      this.#text += decoder.decode(read.value, { stream: true });
      for (let end = this.#text.indexOf('\n\n'); end !== -1; end = this.#text.indexOf('\n\n')) {
        this.#take(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
      }
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  #take(block: string): void {
    if (block.startsWith(':')) {
      this.comments++;
      return;
    }
    const [id = '', data = ''] = block.split('\n');
    if (!id.startsWith('id: ') || !data.startsWith('data: ')) throw new Error(`no message: ${block}`);
    this.messages.push({ id: id.slice(4), data: JSON.parse(data.slice(6)) });
  }
}
