FROM node:24-slim AS build
WORKDIR /app
# The client needs no schema engine; without this line Prisma downloads one.
ENV PRISMA_SCHEMA_ENGINE_BINARY=/bin/true
COPY package.json package-lock.json ./
RUN npm install
COPY prisma.config.ts ./
COPY prisma ./prisma
RUN npx prisma generate
RUN npm prune --omit=dev --omit=optional --omit=peer

FROM node:24-slim
WORKDIR /app
COPY --from=build /app/node_modules node_modules/
COPY --from=build /app/generated generated/
COPY package.json ./
COPY src/ src/
EXPOSE 3000
CMD ["node", "src/index.js"]
