# Apicurio Registry, spoken to by Confluent's API; its H2 database is a file that is
# written before the answer, so schemas survive a kill. Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

registry_ports() { echo registry; }

# Not a newer plugin: those want the artifact's parent pom, which this release left out of Maven Central.
registry_download() {
  maven org.apache.maven.plugins:maven-dependency-plugin:2.10:copy \
    -Dartifact="io.apicurio:apicurio-registry-app:$REGISTRY_VERSION:tar.gz:all" -DoutputDirectory="$PWD" &&
    tar xzf apicurio-registry-app-*.tar.gz &&
    rm apicurio-registry-app-*.tar.gz
}

registry_fetch() { fetch "apicurio-$REGISTRY_VERSION" registry_download; }

registry_start() {
  launch registry java -Xmx192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$1" -Dquarkus.http.access-log.enabled=false \
    -Dapicurio.datasource.url="jdbc:h2:file:$dir/registry/data/registry;WRITE_DELAY=0" \
    -Dapicurio.datasource.jdbc.initial-size=2 -Dapicurio.datasource.jdbc.min-size=2 -Dapicurio.datasource.jdbc.max-size=10 \
    -jar "$cache/apicurio-$REGISTRY_VERSION/apicurio-registry-app-$REGISTRY_VERSION-runner.jar"
}

registry_answers() { curl -sf -m 2 "http://127.0.0.1:$1/apis/ccompat/v7/subjects"; }
