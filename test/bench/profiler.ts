import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/**
 * Loaded before a server with --require: takes a CPU profile between two messages of the parent, which leaves out the
 * start that node's own --cpu-prof would mix in.
 */
const session = new Session();
session.connect();

process.on('message', (message: { readonly command: 'start' | 'stop'; readonly file: string }) => {
  if (message.command === 'start') {
    session.post('Profiler.enable');
    session.post('Profiler.start', () => process.send?.('started'));
    return;
  }
  session.post('Profiler.stop', (error, { profile }) => {
    if (error) throw error;
    writeFileSync(message.file, JSON.stringify(profile));
    process.send?.('written');
  });
});
