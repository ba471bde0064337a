import { dirname } from 'node:path';
import { useSoftwareVulkan } from '../src/node/drivers.js';

/**
 * The environment of a program that finds no Vulkan driver by itself where only @sparticuz/chromium has one: Bun, Deno, Firefox.
 * What the environment names already stays.
 */
export function withVulkan(): Record<string, string> {
  useSoftwareVulkan();
  const { VK_ICD_FILENAMES = '', LD_LIBRARY_PATH } = process.env;
  const variables = Object.entries(process.env).filter((it): it is [string, string] => it[1] !== undefined);
  const loader = VK_ICD_FILENAMES && dirname(VK_ICD_FILENAMES);
  const libraries = [LD_LIBRARY_PATH, loader].filter(Boolean).join(':');
  return { ...Object.fromEntries(variables), ...(libraries && { LD_LIBRARY_PATH: libraries }) };
}
