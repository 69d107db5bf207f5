import { join } from 'node:path';
import type { ServicePlugin } from '../../plugin.ts';
import { readSecrets } from './secrets-file.ts';
import { createSecretsManager } from './service.ts';

export const secretsmanager: ServicePlugin = {
  name: 'secretsmanager',
  types: {},
  create: (_, { stateDir }) => ({
    handle: undefined,
    service: createSecretsManager(() => readSecrets(join(stateDir, 'secrets.json'))),
  }),
};
