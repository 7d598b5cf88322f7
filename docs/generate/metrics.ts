import { INSTRUMENTS, type InstrumentDeclaration } from '../../src/telemetry/metrics/instruments.js';

/** The table of all metrics for `docs/observability.md`, from their declarations. */
export function metricsTable(): string {
  const rows = Object.values<InstrumentDeclaration>(INSTRUMENTS).map((instrument) => [
    `\`${instrument.name}${instrument.kind === 'counter' ? '_total' : ''}\``,
    instrument.kind,
    `\`${instrument.unit}\``,
    labels(instrument),
    instrument.description,
  ]);
  return [['Metric', 'Type', 'Unit', 'Labels', 'Meaning'], Array<string>(5).fill('---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function labels({ labels: declared = {} }: InstrumentDeclaration): string {
  return Object.entries(declared)
    .map(([name, values]) => `\`${name}\`: ${values}`)
    .join('<br>');
}
