/** How long a server that refused asks us to wait, from the error's `retryAfterSeconds`; 0 when it says nothing. */
export function askedMs(error: unknown): number {
  const { retryAfterSeconds } = Object(error) as { readonly retryAfterSeconds?: unknown };
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
}
