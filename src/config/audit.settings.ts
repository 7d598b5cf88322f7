import { type Problem, type Section } from './read-settings.js';
import { isSecure } from './secure-url.js';
import { Setting } from './setting.decorator.js';

/** Destinations of the record of every tool call. */
export class AuditSettings implements Section {
  static readonly title = 'Audit';

  @Setting({
    env: 'MCP_AUDIT_FILE',
    kind: { type: 'text' },
    example: '/var/log/managed-agent-control/audit.log',
    summary:
      'File to append the record of every tool call to, one JSON object per line. It is opened for each write, so that it can be rotated by renaming it.',
  })
  readonly file?: string;

  @Setting({
    env: 'MCP_AUDIT_URL',
    kind: { type: 'url' },
    example: 'https://collector.example.com/audit',
    summary: 'Address to post the record of every tool call to, as batches of JSON lines (`application/x-ndjson`).',
  })
  readonly url?: string;

  @Setting({
    env: 'MCP_AUDIT_TOKEN',
    kind: { type: 'text', pattern: /^[\x21-\x7e]+$/, expected: 'printable ASCII without spaces' },
    secret: true,
    summary: 'Sent to `MCP_AUDIT_URL` as `Authorization: Bearer`.',
  })
  readonly token?: string;

  @Setting({
    env: 'MCP_AUDIT_STDERR',
    kind: { type: 'boolean' },
    default: true,
    summary:
      'Whether the record of every tool call goes to stderr. It can be false where a file or an address has the records; those that neither could take go to stderr in any case.',
  })
  readonly stderr!: boolean;

  @Setting({
    env: 'MCP_AUDIT_REQUIRED',
    kind: { type: 'boolean' },
    default: false,
    summary:
      'When true, calls that would change something are refused while the audit file or address is known to fail. Calls that read are still allowed.',
  })
  readonly required!: boolean;

  check(): Problem[] {
    const problems: Problem[] = [];
    const message = 'needs MCP_AUDIT_FILE or MCP_AUDIT_URL';
    const hasSink = this.file !== undefined || this.url !== undefined;
    if (this.required && !hasSink) problems.push({ env: 'MCP_AUDIT_REQUIRED', message });
    if (!this.stderr && !hasSink) problems.push({ env: 'MCP_AUDIT_STDERR', message: `false ${message}` });
    if (this.token !== undefined && (this.url === undefined || !isSecure(this.url))) {
      problems.push({
        env: 'MCP_AUDIT_TOKEN',
        message: 'needs an MCP_AUDIT_URL with https, or with http on this machine',
      });
    }
    return problems;
  }
}
