import type { PodContent } from '../../operator/model/objects.ts';
import { app, ephemeral, init, pod } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const volume = (path: string) => ({ name: 'host', hostPath: { path } });
const at = (path: string) => pod({ volumes: [volume(path)] });
const mounted = (path: string, readOnly?: boolean): PodContent =>
  app(
    { volumeMounts: [{ name: 'host', mountPath: '/mnt', ...(readOnly !== undefined && { readOnly }) }] },
    { volumes: [volume(path)] },
  );
const BAD = 'volume "host" must not have hostPath.path';
const others = { 'no volume': pod(), 'a volume of another type': pod({ volumes: [{ name: 'a', emptyDir: {} }] }) };
const any: Table['admits'] = { ...others, 'any path': mounted('/etc', false) };

describeRule('hostPaths', [
  { level: 'privileged', admits: any },
  { level: 'baseline', admits: any },
  { level: 'restricted', admits: any },
  {
    level: 'privileged',
    overrides: { hostPaths: [] },
    admits: others,
    refuses: { 'any path': [at('/foo'), `${BAD} /foo (allowed: none)`] },
  },
  {
    level: 'privileged',
    overrides: { hostPaths: [{ pathPrefix: '/foo' }] },
    admits: {
      ...others,
      'the path': at('/foo'),
      'the path with a slash at the end': at('/foo/'),
      'a path below': mounted('/foo/x', false),
    },
    refuses: {
      'a path with the same beginning': [at('/foobar'), `${BAD} /foobar (allowed: /foo)`],
      'a path above': [at('/'), `${BAD} / (allowed: /foo)`],
      'a path with two slashes': [at('//foo'), `${BAD} //foo (allowed: /foo)`],
      'one of two': [
        pod({ volumes: [volume('/foo'), { ...volume('/etc'), name: 'other' }] }),
        'volume "other" must not have hostPath.path /etc (allowed: /foo)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { hostPaths: [{ pathPrefix: '/foo/' }] },
    admits: { 'the path without the slash': at('/foo'), 'a path below': at('/foo/x') },
    refuses: { 'a path with the same beginning': [at('/foobar'), `${BAD} /foobar (allowed: /foo/)`] },
  },
  {
    level: 'privileged',
    overrides: { hostPaths: [{ pathPrefix: '/' }] },
    admits: { 'the root': at('/'), 'any path': at('/etc/kubernetes'), 'two slashes': at('//etc') },
  },
  {
    level: 'privileged',
    overrides: {
      hostPaths: [
        { pathPrefix: '/var', readOnly: true },
        { pathPrefix: '/var/log', readOnly: false },
      ],
    },
    admits: {
      'no mount at all': at('/var'),
      'a read-only mount': mounted('/var', true),
      'a writable mount below the writable prefix': mounted('/var/log/app', false),
      'a writable mount of another volume': app(
        { volumeMounts: [{ name: 'other', mountPath: '/mnt' }] },
        { volumes: [volume('/var'), { name: 'other', emptyDir: {} }] },
      ),
    },
    refuses: {
      'a mount without readOnly': [mounted('/var'), `container "app" ${readOnly()}`],
      'a writable mount': [mounted('/var/lib', false), `container "app" ${readOnly()}`],
      'a mount with bind mount options, which do not make it read-only': [
        app(
          { volumeMounts: [{ name: 'host', mountPath: '/mnt', bindMountOptions: ['noexec', 'nodev', 'nosuid'] }] },
          { volumes: [volume('/var')] },
        ),
        `container "app" ${readOnly()}`,
      ],
      'a writable mount in an init container': [
        { ...init(mount()), spec: { ...init(mount()).spec, volumes: [volume('/var')] } },
        `container "init" ${readOnly()}`,
      ],
      'a writable mount in an ephemeral container': [
        { ...ephemeral(mount()), spec: { ...ephemeral(mount()).spec, volumes: [volume('/var')] } },
        `container "debug" ${readOnly()}`,
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { hostPaths: [{ pathPrefix: '/foo//' }] },
    admits: { 'two slashes at its end, too': at('/foo//'), 'a path below': at('/foo//bar') },
    refuses: {
      'one slash, which does not count': [
        at('/foo/'),
        'volume "host" must not have hostPath.path /foo/ (allowed: /foo//)',
      ],
    },
  },
]);

function mount() {
  return { volumeMounts: [{ name: 'host', mountPath: '/mnt' }] };
}

function readOnly(): string {
  return 'must mount with readOnly: true the volume host (allowed: /var read-only, /var/log)';
}
