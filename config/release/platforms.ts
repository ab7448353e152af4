/** Lists the systems and processors for which cappol has an executable, and the names of their files. */

export interface Platform {
  /** The name of the system, as Go, krew and Homebrew spell it. */
  readonly os: 'linux' | 'darwin' | 'windows';
  readonly arch: 'amd64' | 'arm64';
}

const SYSTEMS: Readonly<Partial<Record<NodeJS.Platform, Platform['os']>>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
};
const PROCESSORS: Readonly<Partial<Record<NodeJS.Architecture, Platform['arch']>>> = { x64: 'amd64', arm64: 'arm64' };

export const PLATFORMS: readonly Platform[] = (['darwin', 'linux', 'windows'] as const).flatMap((os) =>
  (['amd64', 'arm64'] as const).map((arch) => ({ os, arch })),
);

/** The platform of the machine on which the program runs. @throws Error if cappol has no executable for the platform */
export function thisPlatform(): Platform {
  const [os, arch] = [SYSTEMS[process.platform], PROCESSORS[process.arch]];
  if (os === undefined || arch === undefined)
    throw new Error(`no executable is built for ${process.platform} ${process.arch}`);
  return { os, arch };
}

export function executableName({ os }: Platform): string {
  return os === 'windows' ? 'cappol.exe' : 'cappol';
}

export function archiveName({ os, arch }: Platform): string {
  return `cappol-${os}-${arch}.tar.gz`;
}
