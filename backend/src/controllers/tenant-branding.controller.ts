import type { z } from 'zod';
import * as branding from '../services/tenant-branding.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { Upload } from '../types/upload.ts';
import type { brandingBody } from '../validators/tenant-branding.validator.ts';

type Of = { params: { id: string } };

export const getBranding = (ctx: ReadContext<Actor>, { params }: Of) => branding.getBranding(ctx, params.id);

export const updateBranding = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & { body: z.output<typeof brandingBody>; ifMatch: number | undefined },
) => branding.updateBranding(ctx, params.id, body, ifMatch);

export const setLogo = (ctx: ManualContext<Actor>, { params, upload }: Of & { upload: Upload }) =>
  branding.setLogo(ctx, params.id, upload);

export const removeLogo = (ctx: WriteContext<Actor>, { params }: Of) => branding.removeLogo(ctx, params.id);
