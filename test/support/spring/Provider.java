import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;

/** Spring Authorization Server as it is; application.yaml has its one client and its one user. */
@EnableAutoConfiguration
public class Provider {
  public static void main(String[] args) {
    SpringApplication.run(Provider.class, args);
  }
}
