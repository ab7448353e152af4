/**
 * How many milliseconds a server that refused a request wants us to wait, from the error's `retryAfterSeconds`; 0
 * without that field.
 */
export function askedMs(error: unknown): number {
  const { retryAfterSeconds } = Object(error) as { readonly retryAfterSeconds?: unknown };
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
}
