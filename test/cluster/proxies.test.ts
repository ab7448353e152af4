import assert from 'node:assert/strict';
import { proxyOf } from '../../operator/cluster/proxies.ts';

const URL = 'https://api.example.org:6443';
const PROXY = 'http://proxy:3128';

describe('the proxy of a URL', () => {
  const cases: [title: string, url: string, environment: Record<string, string>, proxy: string | undefined][] = [
    ['is none without variables', URL, {}, undefined],
    ['is HTTPS_PROXY for https', URL, { HTTPS_PROXY: PROXY, HTTP_PROXY: 'http://other' }, PROXY],
    ['is HTTP_PROXY for http', 'http://api.example.org', { HTTPS_PROXY: 'http://other', HTTP_PROXY: PROXY }, PROXY],
    ['is not HTTP_PROXY for https', URL, { HTTP_PROXY: PROXY }, undefined],
    ['is in lower case, too', URL, { https_proxy: PROXY }, PROXY],
    ['is in upper case rather than in lower case', URL, { HTTPS_PROXY: PROXY, https_proxy: 'http://other' }, PROXY],
    ['is by http when it has no scheme', URL, { HTTPS_PROXY: 'proxy:3128' }, PROXY],
    ['keeps its scheme', URL, { HTTPS_PROXY: 'socks5://proxy:1080' }, 'socks5://proxy:1080'],
    ['is none for localhost', 'https://localhost:6443', { HTTPS_PROXY: PROXY }, undefined],
    ['is none for a loopback address', 'https://127.8.0.1:6443', { HTTPS_PROXY: PROXY }, undefined],
    ['is none for the IPv6 loopback address', 'https://[::1]:6443', { HTTPS_PROXY: PROXY }, undefined],
    ['is none when it is empty', URL, { HTTPS_PROXY: '' }, undefined],
  ];
  for (const [title, url, environment, proxy] of cases) {
    it(title, () => assert.equal(proxyOf(url, environment), proxy));
  }

  const excluded: [noProxy: string, url: string, isExcluded: boolean][] = [
    ['*', URL, true],
    ['example.org', URL, true],
    ['api.example.org', URL, true],
    ['other.org, .example.org', URL, true],
    ['*.example.org', URL, true],
    ['.api.example.org', URL, false],
    ['pi.example.org', URL, false],
    ['org', URL, true],
    ['EXAMPLE.org', URL, true],
    ['api.example.org:6443', URL, true],
    ['api.example.org:443', URL, false],
    ['example.org:443', 'https://example.org', true],
    ['10.0.0.1', 'https://10.0.0.1:6443', true],
    ['10.0.0.1:6443', 'https://10.0.0.1:6443', true],
    ['10.0.0.1:443', 'https://10.0.0.1:6443', false],
    ['10.0.0.0/8', 'https://10.96.0.1', true],
    ['10.0.0.0/8', 'https://11.0.0.1', false],
    ['10.0.0.0/8', URL, false],
    ['10.0.0.0/99, x/y, /', 'https://10.0.0.1', false],
    ['fd00::/8', 'https://[fd00::1]:6443', true],
    ['fd00::1', 'https://[fd00::1]:6443', true],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', true],
    ['', URL, false],
    [',', URL, false],
  ];
  for (const [noProxy, url, isExcluded] of excluded) {
    it(`is ${isExcluded ? 'none' : 'that of others'} for ${url} with NO_PROXY=${noProxy}`, () => {
      for (const name of ['NO_PROXY', 'no_proxy']) {
        assert.equal(proxyOf(url, { HTTPS_PROXY: PROXY, [name]: noProxy }), isExcluded ? undefined : PROXY);
      }
    });
  }

  it('the error names the invalid variable, but not its value, because the value may contain a password', () => {
    assert.throws(() => proxyOf(URL, { HTTPS_PROXY: 'http://me:secret@' }), {
      message: 'invalid URL of a proxy in HTTPS_PROXY',
    });
  });
});
