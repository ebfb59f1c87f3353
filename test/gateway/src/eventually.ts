/** Asks until the answer is yes, also when it could not be asked; fails with what it waited for. */
export async function eventually(what: string, ask: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  for (const end = performance.now() + withinMs; ; ) {
    let why = '';
    const isSo = await ask().catch((error: unknown) => {
      why = ` (${error})`;
      return false;
    });
    if (isSo) return;
    if (performance.now() > end) throw new Error(`it did not happen within ${withinMs} ms: ${what}${why}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
