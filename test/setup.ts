import { afterEach } from 'vitest';
import { expectNoErrors, forgetBuffers } from './device.js';

forgetBuffers();
afterEach(expectNoErrors);
