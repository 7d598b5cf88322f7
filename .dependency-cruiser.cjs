/** The import rules of docs/architecture.md. Arrows point down: entry → app.module → modules → managed-agents → config, context → common. */
const folder = (name) => `^src/${name}/`;
const tools = ['discover', 'session', 'interact'];
const middle = ['auth', 'mcp', 'guardrails', 'audit', 'telemetry', 'health'];

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', 'Cut the cycle: move what both sides need below them.', {}, { circular: true }),
    rule(
      'src-without-test',
      'Production code never depends on tests; move the shared part into src.',
      { path: '^src/' },
      { path: '^(test|docs)/' },
    ),
    rule(
      'sdk-in-managed-agents-only',
      'The Anthropic SDK is imported in src/managed-agents only; add what you need to a service there.',
      { path: '^src/', pathNot: folder('managed-agents') },
      { path: 'node_modules/@anthropic-ai/' },
    ),
    rule(
      'common-is-the-ground',
      'src/common is pure functions that say nothing of this product; they import nothing.',
      { path: folder('common') },
      { path: '^src/|node_modules/', pathNot: `${folder('common')}|node_modules/@types/` },
    ),
    rule(
      'config-is-the-floor',
      'src/config imports no other module; pass what it needs as an argument.',
      { path: folder('config') },
      { path: '^src/', pathNot: `${folder('config')}|${folder('common')}` },
    ),
    rule(
      'context-is-the-floor',
      'src/context imports no other module; whoever knows a fact of the request records it there.',
      { path: folder('context') },
      { path: '^src/', pathNot: `${folder('context')}|${folder('common')}` },
    ),
    rule(
      'context-without-packages',
      'src/context needs Node and @opentelemetry/api only: keep what belongs to a library beside the code that uses it.',
      { path: folder('context') },
      { path: 'node_modules/', pathNot: 'node_modules/(@opentelemetry/api|@types)/' },
    ),
    rule(
      'store-behind-functions',
      'Read and change the state of a request through src/context/request.ts and src/context/call.ts.',
      { path: '^src/', pathNot: folder('context') },
      { path: '^src/context/store\\.ts$' },
    ),
    rule(
      'one-asynchronous-store',
      'Each asynchronous store costs something at every await; add a field to src/context/store.ts.',
      { path: '^src/', pathNot: '^src/context/store\\.ts$|\\.spec\\.ts$' },
      { path: '^(node:)?async_hooks$' },
    ),
    rule(
      'managed-agents-knows-the-api-only',
      'src/managed-agents knows nothing of MCP, HTTP or principals; it may import src/config and src/context.',
      { path: folder('managed-agents') },
      {
        path: '^src/',
        pathNot: `${folder('managed-agents')}|${folder('config')}|${folder('context')}|${folder('egress')}|${folder('common')}`,
      },
    ),
    rule(
      'managed-agents-without-tool-calls',
      'src/managed-agents knows requests, not tool calls or callers: what it needs of a call is in src/context/request.ts.',
      { path: folder('managed-agents') },
      { path: '^src/context/(call|principal|store)\\.ts$' },
    ),
    rule(
      'tokens-on-the-ground-floor',
      'src/tokens seals and opens text; it needs settings and nothing else of ours.',
      { path: folder('tokens') },
      { path: '^src/', pathNot: `${folder('tokens')}|${folder('config')}` },
    ),
    rule(
      'egress-on-the-ground-floor',
      'src/egress says how requests leave; it imports no other module.',
      { path: folder('egress') },
      { path: '^src/', pathNot: folder('egress') },
    ),
    rule(
      'one-way-out',
      'Requests leave through src/egress, which follows the proxy variables.',
      { path: '^src/', pathNot: folder('egress') },
      { path: 'node_modules/(undici|https-proxy-agent|proxy-from-env)/' },
    ),
    rule(
      'managed-agents-without-mcp-packages',
      'src/managed-agents knows nothing of MCP and HTTP servers.',
      { path: folder('managed-agents') },
      {
        path: 'node_modules/(@modelcontextprotocol|@rekog|fastify|@nestjs/platform-fastify|@nestjs/microservices|passport)',
      },
    ),
    rule(
      'log-is-pure',
      'Reading the event log is pure: no SDK, no Nest, no request. Pass pages in.',
      { path: '^src/managed-agents/log/', pathNot: '\\.spec\\.ts$' },
      {
        path: '^src/|node_modules/',
        pathNot: '^src/managed-agents/(log/|ids\\.ts$)|^src/context/expected-error\\.ts$|^src/common/',
      },
    ),
    rule(
      'auth-imports-the-floor-only',
      'src/auth says who is calling; it needs settings, the principal of src/context, and nothing else of ours.',
      { path: folder('auth') },
      {
        path: '^src/',
        pathNot: `${folder('auth')}|${folder('config')}|${folder('context')}|${folder('egress')}|${folder('common')}`,
      },
    ),
    rule(
      'mcp-without-rules',
      'src/mcp defines what guardrails and audit implement (access.ts, tool-call-observer.ts); they import it, never the other way.',
      { path: folder('mcp') },
      { path: `^src/(guardrails|audit|telemetry|${tools.join('|')})/` },
    ),
    rule(
      'guardrails-judge-by-definition',
      'Guardrails judge a call by its tool definition and arguments; they import no tool and no audit.',
      { path: folder('guardrails') },
      { path: `^src/(audit|telemetry|${tools.join('|')})/` },
    ),
    rule(
      'nothing-depends-on-observers',
      'audit, telemetry and health watch from the side; nothing but the composition roots and the entries imports them.',
      {
        path: '^src/',
        pathNot: '^src/(app\\.module|main|lambda)\\.ts$|^src/bootstrap/|^src/(audit|telemetry|health)/',
      },
      { path: '^src/(audit|telemetry|health)/' },
    ),
    rule(
      'health-looks-at-modules',
      'Health checks modules below it; it imports no tool and no observer.',
      { path: folder('health') },
      { path: `^src/(audit|telemetry|${tools.join('|')})/` },
    ),
    ...tools.map((name) =>
      rule(
        `${name}-alone`,
        'A tool module never imports another one; share through src/mcp or src/managed-agents.',
        { path: folder(name) },
        { path: `^src/(${tools.filter((other) => other !== name).join('|')})/` },
      ),
    ),
    rule(
      'modules-do-not-climb',
      'Only entries import the composition roots and the bootstrap.',
      { path: `^src/(common|config|context|managed-agents|${[...middle, ...tools].join('|')})/` },
      { path: '^src/(main|lambda|app\\.module)\\.ts$|^src/bootstrap/' },
    ),
    rule('no-unresolvable', 'This import leads nowhere.', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
