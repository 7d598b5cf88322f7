import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Loaded before the server with --require: tells on demand what its heap holds after a full collection. Between two
 * such questions the server collects as it does for everyone, without any option that users do not have.
 */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('message', (message: unknown) => {
  if (message !== 'heap?') return;
  collect();
  process.send?.({ heapMb: process.memoryUsage().heapUsed / 1024 / 1024 });
});
