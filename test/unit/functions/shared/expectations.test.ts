import { expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import type { Engine } from '../../../../engines/engine.ts';
import { Engines } from '../../../../engines/registry.ts';
import { expectations } from '../../../../functions/shared/expectations.ts';
import { NOW } from '../../../support/factories.ts';

const engine = { estimate: () => ({ seconds: 1, usd: 1 }) } as unknown as Engine;
const layered: Engine = { ...engine, servedBy: (part) => (part === 'encode' ? 'layered' : 'cheap') };
const engines = new Engines({ cheap: engine, layered, dear: engine });

it.each([
  [{ cheap: 100 }, ['cheap', 'layered']],
  [{ layered: 100 }, ['layered']],
  [{ cheap: 99, layered: 99, dear: 99 }, []],
])('where %j jobs wait, busy are the engines whose jobs wait behind them: %j', (waiting, busy) => {
  const condition = { failing: new Map(), load: { type: 'load' as const, at: NOW, waiting }, now: NOW };
  const expected = expectations(engines, condition, null, {
    source: {},
    preset: PRESETS.standard ?? expect.fail('no preset'),
  });
  expect(expected.filter((one) => one.busy).map((one) => one.engine)).toEqual(busy);
});
