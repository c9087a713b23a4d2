import type { NestFastifyApplication } from '@nestjs/platform-fastify'

/** Tells the parent process where the app listens, and closes it when told to. Nothing must then keep this process alive. */
export async function serve (app: NestFastifyApplication): Promise<void> {
  await app.listen(0, '127.0.0.1')
  process.once('message', async () => {
    await app.close()
    process.disconnect()
  })
  process.send?.(await app.getUrl())
}
