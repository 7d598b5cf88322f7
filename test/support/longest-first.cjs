const { default: Sequencer } = require('@jest/test-sequencer');

/** Suites that take longest, in that order. A fresh clone knows no durations, and one that begins last is waited for. */
const LONGEST = [
  'docs/commands',
  'auth/keycloak',
  'deploy/rolling-restart',
  'deploy/terraform',
  'deploy/image',
  'managed-agents/lossless-waiting',
  'mcp/human-approval',
  'managed-agents/wait-model',
];

const rank = ({ path }) => {
  const found = LONGEST.findIndex((suite) => path.endsWith(`test/${suite}.spec.ts`));
  return found < 0 ? LONGEST.length : found;
};

module.exports = class LongestFirst extends Sequencer {
  /** The sort is stable, so that all others stay in the order of jest's own. */
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
