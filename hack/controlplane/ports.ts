import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Finds different TCP ports of the loopback interface that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(listeners.map((listener) => once(listener, 'listening')));
  const ports = listeners.map((listener) => (listener.address() as AddressInfo).port);
  await Promise.all(
    listeners.map((listener) => {
      listener.close();
      return once(listener, 'close');
    }),
  );
  return ports;
}
