import { afterEach } from 'vitest';
import { expectNoErrors, forgetBuffers } from './device.js';
import { pollLess } from './poll.js';

pollLess();
forgetBuffers();
afterEach(expectNoErrors);
