/** Finds the policies whose rows make the API server refuse a program. */

/** If more policies seem to cause the refusal, somebody refuses programs for a reason that no row explains. */
const MOST = 8;

/**
 * Finds the policies by bisection. The API server accepts the program with the current specs of all other suspects.
 *
 * @param suspects the names of the policies whose rows would change, the oldest first. If several rows are refused only
 * together, the newest of them counts
 * @param refusalWithout asks for the program in which the given policies keep their earlier specs
 * @returns the API server's messages. The key is the policy's name. The map is empty if the refusal does not depend on
 * the rows
 */
export async function culpritsAmong(
  suspects: readonly string[],
  refusalWithout: (policies: ReadonlySet<string>) => Promise<string | undefined>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const refusalOfFirst = (count: number) => refusalWithout(new Set([...suspects.slice(count), ...found.keys()]));
  if ((await refusalOfFirst(0)) !== undefined) return new Map();
  let accepted = 0;
  for (;;) {
    let refused = suspects.length;
    let message = accepted < refused ? await refusalOfFirst(refused) : undefined;
    if (message === undefined) return found;
    if (found.size === MOST) return new Map();
    while (refused - accepted > 1) {
      const middle = Math.floor((accepted + refused) / 2);
      const refusal = await refusalOfFirst(middle);
      if (refusal === undefined) accepted = middle;
      else [refused, message] = [middle, refusal];
    }
    found.set(suspects[refused - 1] ?? '', message);
    accepted = refused;
  }
}
