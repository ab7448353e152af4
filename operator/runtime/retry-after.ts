/** How long a server that refused a request asks us to wait, from the error's `retryAfterSeconds`; 0 if it does not say. */
export function askedMs(error: unknown): number {
  const { retryAfterSeconds } = Object(error) as { readonly retryAfterSeconds?: unknown };
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
}
