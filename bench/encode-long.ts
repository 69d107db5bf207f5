import { compareEncode } from './support/encode-bench.ts';

await compareEncode({ seconds: 300, limit: false });
