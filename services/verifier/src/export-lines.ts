/** A line of a file with its number, from 1, and the line end that it had. */
export type Line = { number: number; text: string };

/** The same, where a line goes on until its quotes are closed: a field of CSV may hold line ends. Whatever is left open at the end is a line of its own. */
export async function* csvLinesOf(lines: AsyncIterable<Line>): AsyncGenerator<Line, void> {
  let open: Line | undefined;
  for await (const line of lines) {
    const whole = open === undefined ? line : { number: open.number, text: open.text + line.text };
    const isOpen = whole.text.length < LONGEST_LINE && (whole.text.match(/"/g)?.length ?? 0) % 2 === 1;
    open = isOpen ? whole : undefined;
    if (!isOpen) yield whole;
  }
  if (open !== undefined) yield open;
}

/** More than any event can have; a longer line is no event's, and nobody holds it. */
const LONGEST_LINE = 8 * 1_048_576;

/** A file's lines, read as it is read: no more than one chunk and one line is held. A line that is too long comes cut off. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void> {
  const decoder = new TextDecoder();
  let [rest, number] = ['', 1];
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let begin = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', begin)) {
      yield { number: number++, text: rest.slice(begin, end + 1) };
      begin = end + 1;
    }
    rest = rest.slice(begin, begin + LONGEST_LINE);
  }
  rest += decoder.decode();
  if (rest !== '') yield { number, text: rest };
}
