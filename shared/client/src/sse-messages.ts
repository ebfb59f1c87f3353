/** One message of a stream of server-sent events. `id`: what the last `id` field said, in this message or before; undefined = none yet. */
export type Message = { id: string | undefined; data: string };

/** Takes in server-sent events (WHATWG HTML, 9.2) in pieces of any size. A message without data is none, and comments are left out. */
export class SseMessages {
  #rest = '';
  #data: string[] = [];
  #id: string | undefined;

  /** The messages that this piece completes. */
  take(text: string): Message[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  #line(line: string): Message[] {
    if (line === '') {
      const data = this.#data.splice(0);
      return data.length === 0 ? [] : [{ id: this.#id, data: data.join('\n') }];
    }
    const [name, value] = fieldOf(line);
    if (name === 'data') this.#data.push(value);
    else if (name === 'id') this.#id = value;
    return [];
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon === -1) return [line, ''];
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)];
}
