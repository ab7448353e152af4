/** The user that a kubeconfig impersonates. client-node reads only the name of this user. */
import { arrayOf, isText, objectOf } from '../model/raw.ts';

/** The fields `as-uid`, `as-groups` and `as-user-extra` of a user (k8s.io/client-go/tools/clientcmd/api/v1). */
export interface Impersonation {
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * @throws Error if the fields are set, but no user to impersonate is set. The API server refuses requests that set
 * these fields without a user to impersonate
 */
export function impersonationIn(user: Readonly<Record<string, unknown>>): Impersonation | undefined {
  const { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = user;
  const texts = (value: unknown) => arrayOf(value).filter(isText);
  const impersonation = {
    ...(isText(uid) && uid !== '' && { uid }),
    groups: texts(groups),
    extra: Object.fromEntries(Object.entries(objectOf(extra)).map(([key, values]) => [key, texts(values)])),
  };
  const isEmpty =
    !impersonation.uid && impersonation.groups.length === 0 && Object.keys(impersonation.extra).length === 0;
  if (isEmpty) return undefined;
  if (!isText(as) || as === '') throw new Error('as-uid, as-groups and as-user-extra require the field "as"');
  return impersonation;
}

/**
 * The headers as k8s.io/client-go/transport/round_trippers.go makes them. Each group and each value of an extra field
 * gets a separate header.
 */
export function impersonationHeaders({ uid, groups, extra }: Impersonation): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (uid !== undefined) headers['Impersonate-Uid'] = headerValue(uid);
  if (groups.length > 0) headers['Impersonate-Group'] = groups.map(headerValue);
  for (const [key, values] of Object.entries(extra)) {
    headers[`Impersonate-Extra-${headerKey(key)}`] = values.map(headerValue);
  }
  return headers;
}

/**
 * Matches the characters to escape in a header's name. The characters to escape are `%` and all characters that are not
 * tchars (RFC 7230). An escape begins with `%`.
 */
const IN_NAMES = /[^A-Za-z0-9!#$&'*+.^_`|~-]/g;

function headerKey(key: string): string {
  return Buffer.from(key, 'utf8')
    .toString('latin1')
    .replace(IN_NAMES, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** The value of a header as bytes. An API server reads the bytes as UTF-8. */
function headerValue(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
