import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { newSecret, rotate, validSecrets } from '../../../../core/webhooks/secrets.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

it('secrets are valid for Standard Webhooks', () => {
  const secret = newSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(new Webhook(secret).sign('evt', new Date(NOW), '{}')).toMatch(/^v1,/);
});

it('the old secret stays valid for a day after a rotation, and there are never more than two', () => {
  const once = rotate([{ secret: 'a' }], 'b', NOW);
  expect(once).toEqual([{ secret: 'b' }, { secret: 'a', expiresAt: '2026-11-22T12:00:00.000Z' }]);
  expect(validSecrets(once, '2026-11-22T11:59:59.999Z')).toEqual(['b', 'a']);
  expect(validSecrets(once, '2026-11-22T12:00:00.000Z')).toEqual(['b']);
  expect(validSecrets(rotate(once, 'c', NOW + 1000), '2026-11-21T12:00:02.000Z')).toEqual(['c', 'b']);
});
