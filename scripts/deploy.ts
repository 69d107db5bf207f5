/** `npm run deploy`: builds, then `cdk deploy` with the arguments given. Needs Docker and AWS credentials. */
import { execa } from 'execa';

const { exitCode } = await execa('npx', ['cdk', 'deploy', ...process.argv.slice(2)], {
  stdio: 'inherit',
  reject: false,
});
process.exitCode = exitCode ?? 1;
