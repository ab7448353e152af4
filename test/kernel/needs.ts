/** The actions of the program in needs/, and the capabilities that each action needs. */
import { RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';

export interface Need {
  /** The program's arguments. If `args` is not set, the only argument is the title of the entry in NEEDS. */
  readonly args?: readonly string[];
  /**
   * The capabilities of the observed container. By default, the container has all capabilities that this machine can
   * give.
   */
  readonly holds?: readonly string[];
  readonly needs: readonly string[];
  /** Capabilities that the program requests. The program neither holds nor needs the capabilities in `refused`. */
  readonly refused?: readonly string[];
  /** The noise that the program causes, in addition to the noise of every container. */
  readonly noise?: readonly string[];
}

/** The needs by title. The title is also the name of the container or of its pod. */
export const NEEDS: Readonly<Record<string, Need>> = {
  nothing: { needs: [] },
  ping: { needs: ['NET_RAW'] },
  chown: { needs: ['CHOWN'] },
  bind: { needs: ['NET_BIND_SERVICE'] },
  daemon: { needs: ['SETGID', 'SETUID'] },
  sniff: { needs: ['NET_RAW'] },
  mount: { needs: ['SYS_ADMIN'] },
  'try-mount': { holds: RUNTIME_DEFAULT, needs: [], refused: ['SYS_ADMIN'] },
  ptrace: { needs: ['SETGID', 'SETUID', 'SYS_PTRACE'] },
  address: { needs: ['NET_ADMIN'] },
  chroot: { needs: ['SYS_CHROOT'] },
  kill: { needs: ['KILL', 'SETGID', 'SETUID'] },
  mknod: { needs: ['MKNOD'] },
  nice: { needs: ['SYS_NICE'] },
  read: { needs: ['DAC_READ_SEARCH'] },
  'read-by-default': {
    args: ['read'],
    holds: RUNTIME_DEFAULT,
    needs: ['DAC_OVERRIDE'],
    noise: ['DAC_READ_SEARCH OtherCapability'],
  },
  write: { needs: [], noise: ['FSETID SetIdBits'] },
  // Since Linux 5.12, a process needs SETFCAP to map the ID 0 of the parent namespace (user_namespaces(7)).
  'own-namespace': { needs: ['SETFCAP'], noise: ['SYS_ADMIN OwnUserNamespace', 'SYS_CHROOT OwnUserNamespace'] },
  capset: { needs: [], noise: ['SETPCAP Capset'] },
};
