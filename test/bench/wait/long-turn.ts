import { type Scenario, type Step, say, think, tool, wait } from '../../simulator/index.js';

/** A turn of 30 events and about two minutes: an agent finds a failing test, mends it and reports. */
export const LONG_TURN: Scenario = [
  wait(4000),
  think(),
  call('bash', { command: 'npm test -- --reporter=dot 2>&1 | tail -n 40' }, 24_000, [
    '  1) RefundService',
    '       refunds a partially shipped order:',
    '      AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
    '      + actual   1899',
    '      - expected 1399',
    '      at Context.<anonymous> (test/refund.service.spec.ts:88:14)',
    '',
    '  211 passing (19s)',
    '  1 failing',
  ]),
  wait(3000),
  call('grep', { pattern: 'shippedAmount|refundable', path: 'src/orders', output_mode: 'content' }, 2000, [
    'src/orders/refund.service.ts:41:  private refundable(order: Order): Cents {',
    'src/orders/refund.service.ts:42:    const shipped = this.shippedAmount(order.lines);',
    'src/orders/refund.service.ts:43:    return order.total - Math.max(shipped, order.shippingFee);',
    'src/orders/refund.service.ts:57:  private shippedAmount(lines: readonly OrderLine[]): Cents {',
    'src/orders/refund.service.ts:58:    return sum(lines.filter(isShipped).map((line) => line.quantity * line.price));',
  ]),
  wait(9000),
  call(
    'edit',
    {
      file_path: '/workspace/src/orders/refund.service.ts',
      old_string: '    return order.total - Math.max(shipped, order.shippingFee);',
      new_string:
        '    // The fee is kept once anything was shipped, on top of what was shipped.\n    const kept = shipped === 0 ? 0 : shipped + order.shippingFee;\n    return order.total - kept;',
    },
    1000,
    ['The file /workspace/src/orders/refund.service.ts has been updated. 1 replacement was made.'],
  ),
  wait(2000),
  call('bash', { command: 'npm test -- --reporter=dot 2>&1 | tail -n 40' }, 26_000, [
    '  ................................................................................',
    '  ................................................................................',
    '  ....................................................',
    '',
    '  212 passing (21s)',
    '',
    'File                 | % Stmts | % Branch | % Funcs | % Lines',
    'refund.service.ts    |     100 |      100 |     100 |     100',
  ]),
  wait(2000),
  call('bash', { command: 'npm run lint && npm run build && git diff --stat' }, 32_000, [
    '> shop@4.2.0 lint',
    '> eslint .',
    '> shop@4.2.0 build',
    '> tsc -p tsconfig.build.json',
    ' src/orders/refund.service.ts | 4 +++-',
    ' 1 file changed, 3 insertions(+), 1 deletion(-)',
  ]),
  wait(12_000),
  say(
    'The failing test was right and the code was wrong: for a partially shipped order, `refundable` kept either the ' +
      'shipped amount or the shipping fee, whichever was larger, instead of both. It now keeps both as soon as ' +
      'anything was shipped, and nothing otherwise.\n\nChanged: `src/orders/refund.service.ts` (3 lines). All 212 ' +
      'tests pass, lint and build are clean. I did not touch refunds that were already paid out; orders refunded ' +
      'since 4.1.0 may have received too much, so you may want to check those.',
  ),
];

function call(name: string, input: Record<string, unknown>, durationMs: number, result: readonly string[]): Step {
  return tool({ name, input, permission: 'allow', durationMs, result: result.join('\n') });
}
