/** Errors that nobody waits for, on any device of this page or worker, reach the console, where the test collects them. */
const { requestDevice } = GPUAdapter.prototype;

GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault(); // Chromium's own console message does not name the kind of error
    console.error(`${event.error.constructor.name}: ${event.error.message}`);
  });
  device.lost.then(({ reason, message }) => {
    if (reason !== 'destroyed') console.error(`GPUDevice lost: ${message}`);
  });
  return device;
};
