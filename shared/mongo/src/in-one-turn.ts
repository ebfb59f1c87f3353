/** More than so many names are a question of their own: that is not what many ask at once. */
const MOST_NAMES = 100;

/**
 * What is asked in one turn of the event loop, carried out together; each caller gets the whole answer, or the failure. A call waits for nothing that was sent
 * before it, so it is bounded as if it were alone.
 */
export function inOneTurn<Q, A>(carryOut: (asked: Q[]) => Promise<A>): (one: Q) => Promise<A> {
  let turn: { asked: Q[]; answer: Promise<A> } | undefined;
  return (one) => {
    if (turn !== undefined) {
      turn.asked.push(one);
      return turn.answer;
    }
    const asked = [one];
    const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      turn = undefined;
      return carryOut(asked);
    });
    turn = { asked, answer };
    return answer;
  };
}

/** The same of looks for documents by their names: each caller gets those that it named. */
export function foundInOneTurn<V>(find: (names: string[]) => Promise<Map<string, V>>): (names: string[]) => Promise<Map<string, V>> {
  const findTogether = inOneTurn((asked: string[][]) => find([...new Set(asked.flat())]));
  return async (names) => {
    if (names.length === 0) return new Map();
    if (names.length > MOST_NAMES) return find(names);
    const found = await findTogether(names);
    const own = new Map<string, V>();
    for (const name of names) {
      const value = found.get(name);
      if (value !== undefined) own.set(name, value);
    }
    return own;
  };
}
