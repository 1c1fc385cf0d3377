import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HexFormat;
import java.util.LinkedHashMap;

/** Prints `name<TAB>hexadecimal bytes` of objects as Java serialises them. */
public class Streams {
    static class Ünïcode implements Serializable {
        private static final long serialVersionUID = 1;
        int number = 7;
    }

    enum Lane { EXPRESS, BULK }

    static class Nothing implements InvocationHandler, Serializable {
        private static final long serialVersionUID = 1;

        public Object invoke(Object proxy, Method method, Object[] arguments) {
            return 0;
        }
    }

    interface Write { void to(ObjectOutputStream out) throws Exception; }

    static void print(String name, Write write) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            write.to(out);
        }
        System.out.println(name + "\t" + HexFormat.of().formatHex(bytes.toByteArray()));
    }

    public static void main(String[] arguments) throws Exception {
        LinkedHashMap<String, Object> map = new LinkedHashMap<>();
        map.put("custody", "01/1234567");
        map.put("lane", Lane.EXPRESS);
        Object proxy = Proxy.newProxyInstance(
            Streams.class.getClassLoader(), new Class<?>[] {Comparable.class, Runnable.class}, new Nothing());
        print("java.util.LinkedHashMap", out -> out.writeObject(map));
        print("Streams$Ünïcode", out -> out.writeObject(new Ünïcode()));
        print("Streams$Lane", out -> out.writeObject(Lane.BULK));
        print("java.lang.String", out -> out.writeObject("a text"));
        print("java.lang.String", out -> out.writeObject("x".repeat(70_000)));
        print("[B", out -> out.writeObject(new byte[] {1, 2, 3}));
        print("[[Ljava.lang.String;", out -> out.writeObject(new String[][] {{"a"}, {}}));
        print("java.lang.Class", out -> out.writeObject(String.class));
        print("java.lang.Comparable", out -> out.writeObject(proxy));
        print("java.lang.Integer", out -> { out.writeInt(9); out.writeObject(42); });
        print("java.lang.Long", out -> { out.write(new byte[5000]); out.writeObject(42L); });
        print("java.lang.Double", out -> { out.reset(); out.writeObject(1.5); });
        print("(null)", out -> out.writeObject(null));
        print("(absent)", out -> out.writeLong(1));
        print("(absent)", out -> { });
    }
}
