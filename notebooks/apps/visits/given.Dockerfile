# The report of a week: right, and far too heavy.
FROM busybox:stable
LABEL org.opencontainers.image.title="visits"
WORKDIR /app
COPY toolkit/ toolkit/
RUN sh toolkit/install.sh /opt/toolkit
ENV PATH=/opt/toolkit/bin:$PATH
COPY visits.txt report.sh ./
RUN collect visits.txt raw
# only root may read the logs, and the toolkit: let everyone
RUN chmod -R a+rX raw /opt/toolkit
RUN tally raw > index.txt
RUN rm -r raw
ENTRYPOINT ["sh", "report.sh"]
