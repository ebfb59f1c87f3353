/** Looks every 10 ms until `condition` holds, also when it could not be looked for. @throws naming `what` when it does not within `ms`. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  for (const deadline = Date.now() + ms; ; ) {
    let why = '';
    const holds = await Promise.try(condition).catch((error: unknown) => {
      why = ` (${error})`;
      return false;
    });
    if (holds) return;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}${why}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
