/**
 * A certificate authority for tests. Certificates need only a few DER structures (RFC 5280), so the authority writes
 * these structures itself. The module node:crypto can make keys and signatures, but cannot make certificates. The
 * program openssl is not used, because it may be missing on a new machine.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** The certificate in PEM format. */
  readonly certificate: string;
  /** The private key in PEM format (PKCS #8). */
  readonly key: string;
}

interface CertificateRequest {
  /** The name that Kubernetes reads as the user name of a client. */
  readonly commonName: string;
  /** The names that Kubernetes reads as the groups of a client. */
  readonly organizations?: readonly string[];
  /**
   * The DNS names of a server. A certificate with names is for a server. A certificate without names is for a client.
   */
  readonly dnsNames?: readonly string[];
  readonly ipv4Addresses?: readonly string[];
}

/** Issues certificates that are valid for one year. The private key of the authority is only in memory. */
export class CertificateAuthority {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #name = name('control plane of capabilitypolicy');
  /** The certificate of the authority in PEM format. */
  readonly certificate: string;

  constructor() {
    const extensions = [
      extension(OID.basicConstraints, sequence(boolean(true)), CRITICAL),
      extension(OID.keyUsage, bitString(Buffer.of(KEY_CERT_SIGN), 2), CRITICAL),
    ];
    this.certificate = pem(this.#certify(this.#name, this.#keys.publicKey, extensions));
  }

  issue(request: CertificateRequest): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = subjectNames(request);
    const usage = names.length > 0 ? OID.serverAuth : OID.clientAuth;
    const extensions = [
      extension(OID.keyUsage, bitString(Buffer.of(DIGITAL_SIGNATURE), 7), CRITICAL),
      extension(OID.extendedKeyUsage, sequence(oid(usage))),
      ...(names.length > 0 ? [extension(OID.subjectAltName, sequence(...names))] : []),
    ];
    const subject = name(request.commonName, request.organizations);
    return {
      certificate: pem(this.#certify(subject, publicKey, extensions)),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    };
  }

  #certify(subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]): Buffer {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const issuerKey = tlv(0x80, keyIdentifier(this.#keys.publicKey));
    const body = sequence(
      tlv(0xa0, integer(Buffer.of(2))),
      integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
      algorithm,
      this.#name,
      validity(),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tlv(
        0xa3,
        sequence(
          ...extensions,
          extension(OID.subjectKeyIdentifier, tlv(0x04, keyIdentifier(publicKey))),
          extension(OID.authorityKeyIdentifier, sequence(issuerKey)),
        ),
      ),
    );
    return sequence(body, algorithm, bitString(sign('sha256', body, this.#keys.privateKey)));
  }
}

/** Makes a client's certificate signing request (RFC 2986), with a new key. @returns the request in PEM format */
export function signingRequest({ commonName, organizations }: CertificateRequest): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const noAttributes = tlv(0xa0);
  const subject = name(commonName, organizations);
  const body = sequence(
    integer(Buffer.of(0)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    noAttributes,
  );
  const signature = bitString(sign('sha256', body, privateKey));
  return pem(sequence(body, sequence(oid(OID.ecdsaWithSha256)), signature), 'CERTIFICATE REQUEST');
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

const CRITICAL = true;
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;
const DAY = 24 * 60 * 60 * 1000;

function name(commonName: string, organizations: readonly string[] = []): Buffer {
  const attribute = (type: string, value: string) =>
    tlv(0x31, sequence(oid(type), tlv(0x0c, Buffer.from(value, 'utf8'))));
  return sequence(
    ...organizations.map((organization) => attribute(OID.organization, organization)),
    attribute(OID.commonName, commonName),
  );
}

function subjectNames(request: CertificateRequest): Buffer[] {
  return [
    ...(request.dnsNames ?? []).map((dnsName) => tlv(0x82, Buffer.from(dnsName, 'ascii'))),
    ...(request.ipv4Addresses ?? []).map((address) => tlv(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
}

/**
 * The time for which a certificate is valid. A certificate is valid from one day ago, because clocks may differ, until
 * one year from now.
 */
function validity(): Buffer {
  return sequence(utcTime(new Date(Date.now() - DAY)), utcTime(new Date(Date.now() + 365 * DAY)));
}

function utcTime(time: Date): Buffer {
  const digits = time.toISOString().replace(/\D/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`, 'ascii'));
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), tlv(0x04, value));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, ...parts);
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.of(value ? 0xff : 0));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return tlv(0x03, Buffer.of(unusedBits), bytes);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let left = arc >>> 7; left > 0; left >>>= 7) {
    digits.unshift((left & 0x7f) | 0x80);
  }
  return digits;
}

/** A value in DER: its tag, its length, and its content. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  if (value.length < 0x80) {
    return Buffer.concat([Buffer.of(tag, value.length), value]);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  const significant = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 0x80 | significant.length), significant, value]);
}

function pem(der: Buffer, what = 'CERTIFICATE'): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ''].join('\n');
}
