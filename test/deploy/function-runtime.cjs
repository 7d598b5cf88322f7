/** Stands in for Lambda's runtime: loads the file named first, and calls its handler with the events it is sent. */
const { handler } = require(process.argv[2]);

process.on('message', async ({ id, event, remainingMs }) => {
  const deadline = Date.now() + remainingMs;
  const context = { awsRequestId: `request-${id}`, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    process.send({ id, answer: await handler(event, context) });
  } catch (error) {
    process.send({ id, error: { name: error.name, message: error.message } });
  }
});
