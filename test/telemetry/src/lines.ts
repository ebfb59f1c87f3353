/** Collects log lines as they were written. */
export function collectLines() {
  const lines: string[] = [];
  return {
    write: (line: string) => void lines.push(line),
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1) ?? '{}') as { [field: string]: unknown },
    count: () => lines.length,
  };
}
