/** Finds out from an API server's message which admission policy or webhook refused a write. */

export const WEBHOOK_FAILS = /failed calling webhook "([^"]+)"/;
/** The beginnings of the API server's messages about a refusal, with the name of the component that refused. */
const REFUSED_BY: readonly (readonly [RegExp, string])[] = [
  [/((?:Validating|Mutating)AdmissionPolicy) '([^']+)'/, ''],
  [/admission webhook "([^"]+)" denied/, 'webhook '],
  [WEBHOOK_FAILS, 'webhook '],
];

/** The admission policy or webhook that the message names, such as `webhook frozen.example`. */
export function refuserIn(message: string): string | undefined {
  const [refuser] = REFUSED_BY.flatMap(([pattern, kind]) => {
    const found = pattern.exec(message)?.slice(1).join(' ');
    return found === undefined ? [] : [`${kind}${found}`];
  });
  return refuser;
}
