/**
 * `npm run check:iam`: uses every feature of the product once, and lists the granted actions of its roles that no call used. Exit 1 when
 * such an action has no reason here, and when a reason is no longer needed.
 */
import { representativeRun } from '../test/support/representative-run.ts';
import { synthesize } from './synth.ts';
import { NEEDED_UNSEEN } from './template/unused-grants.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);
await synthesize(say);
const grants = await representativeRun((line) => say(`done: ${line}`));

const unused = grants.filter(({ used }) => !used);
const wanting: string[] = [];
const reasons = new Set<string>();
for (const { roleArn, action, statement, policy } of unused) {
  const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const found = NEEDED_UNSEEN.find((one) => role.includes(one.role) && one.action === action);
  if (found) reasons.add(`${found.role} ${found.action}`);
  else wanting.push(`${role}, statement ${statement} of ${policy}: ${action} is granted, and no call used it`);
}
const needless = NEEDED_UNSEEN.filter(({ role, action, byChance }) => !byChance && !reasons.has(`${role} ${action}`));
for (const line of wanting) say(line);
for (const { role, action } of needless)
  say(`${role}: ${action} has a reason in unused-grants.ts, but it was used or is not granted`);
say(`check:iam: ${grants.length} grants, ${unused.length} unused, ${wanting.length} of them without a reason`);
process.exit(wanting.length + needless.length === 0 ? 0 : 1);
